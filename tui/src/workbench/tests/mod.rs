//! Text snapshots of the screens, and key scripts.
