"""From recordings, or the topic ``ticks``, to labelled rows: read, checked, cut and joined."""
