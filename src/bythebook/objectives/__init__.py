"""Pure tensor functions of RL: policy losses, advantages, KL estimates, masks. They know no model and no trainer."""
