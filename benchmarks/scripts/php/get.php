<p>Hello, <?= htmlspecialchars($_GET['name'] ?? 'world') ?>!</p>
