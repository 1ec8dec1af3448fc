"""What is promised: published scores (papers/*.toml) and deployments on hardware (targets/*.toml)."""
