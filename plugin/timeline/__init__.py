"""Reading timelines, resolving their media and writing results back."""
