<p><?= count($_POST) ?> fields, the last: <?= htmlspecialchars($_POST['field20'] ?? '') ?></p>
