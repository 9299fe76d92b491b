"""Pure rules of the classifier: merging reports, what to publish, what counts where, when a warning rises."""
