// Runs before the first paint, so that the page never flashes in the other theme.
try {
  document.documentElement.dataset.theme = localStorage.getItem('orchestrator-theme') ?? 'auto';
} catch {
  document.documentElement.dataset.theme = 'auto';
}
