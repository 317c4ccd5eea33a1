"""What a person reads: report pages, figures, the model card and reporting checklists."""
