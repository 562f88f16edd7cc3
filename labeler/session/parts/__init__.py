"""What a person may do, part by part."""
