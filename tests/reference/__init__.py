"""Slow references: the same quantities by other means, with more digits than anybody needs."""
