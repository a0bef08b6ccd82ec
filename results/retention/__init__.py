"""What a store keeps of old nights, and how it is rewritten without ever being less than whole."""
