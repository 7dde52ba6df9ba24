"""The long-lived service: many searches on one machine, under common budgets."""
