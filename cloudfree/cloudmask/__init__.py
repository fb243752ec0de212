"""Cloud, shadow and snow masks: score, classes, plan and file."""
