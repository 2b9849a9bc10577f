"""City traffic: recorded and synthetic movements of cars, and the truth that an engine must agree with."""
