"""Evaluation: from samples to features, from features to scores, under one protocol."""
