"""The loop: configurations, batches, steps, checkpoints, exports."""
