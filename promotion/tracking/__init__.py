"""MLflow: trainings and promotions as its runs, versions and aliases."""
