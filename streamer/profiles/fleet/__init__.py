"""What many devices learned, as the prior of the next one."""
