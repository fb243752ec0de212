"""What clouds hide, from other dates, radar and clear ground of the scene itself."""
