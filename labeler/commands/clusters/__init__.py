"""`labeler clusters`: choose a number of clusters, look into clusters, draw both."""
