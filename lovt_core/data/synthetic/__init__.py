"""Synthetic downloads: X-ray-like films with findings at known places, in the layout of real data sets."""
