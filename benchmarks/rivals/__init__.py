"""One small file for each way to poll a charge."""
