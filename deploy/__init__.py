"""What runs around Liftgate where it is developed, tested and deployed; no part of the package."""
