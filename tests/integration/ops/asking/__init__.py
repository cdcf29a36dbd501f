"""What each question of `ops/questions.md` must answer, by who asks."""
