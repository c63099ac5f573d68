"""The states of all products: made of predictions, recorded, shown and told."""
