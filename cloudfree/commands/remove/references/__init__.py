"""Other dates of a scene's place: found, chosen, and read on its grid."""
