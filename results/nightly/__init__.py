"""What a night's run says, and every form in which people want to read it."""
