"""Tables that touch no served model: other venues, other projects, the published figure."""
