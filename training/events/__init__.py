"""What a desk would have had of days that no model saw: states, leads and chances, by row."""
