"""What panels are made of: a worker, a view, presets; photos, neurons, runs and strengths for those that have them."""
