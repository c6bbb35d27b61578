"""Image classification, and learning it from few labels: the package beneath the course book."""
