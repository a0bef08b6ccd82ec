"""What to run: factors, rules, designs and run order; pure values that touch nothing else."""
