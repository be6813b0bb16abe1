"""The service: the line kept up to date. What arrives changes the judgement of the people it is about, and of nobody else."""
