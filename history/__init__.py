"""What happened, kept for years: the fold of the feed, the store's port, and stores."""
