"""Policy is data: packs of rules, views, services and rates, loaded, checked and compiled once per version."""
