"""Read models: folds of the recorded events, in the database and in a replay without one."""
