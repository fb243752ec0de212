"""One folder a command: options, the run that touches files, arithmetic on arrays."""
