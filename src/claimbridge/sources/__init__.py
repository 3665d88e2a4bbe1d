"""Where claims come from: Hesi, a folder, a webhook, or a source of your own."""
