"""Sweeps: Optuna chooses settings, ordinary runs are made of them, and what came out is told to Optuna."""
