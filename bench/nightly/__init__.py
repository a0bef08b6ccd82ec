"""What a night does to the world around it: files, webhooks, timers."""
