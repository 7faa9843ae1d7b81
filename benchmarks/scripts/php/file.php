<p><?= htmlspecialchars($_POST['note'] ?? '') ?>: <?= htmlspecialchars($_FILES['file']['name']) ?>, <?= $_FILES['file']['size'] ?> bytes</p>
