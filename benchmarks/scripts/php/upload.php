<?php
move_uploaded_file($_FILES['file']['tmp_name'], 'upload.bin') or exit(1);
echo '<p>', $_FILES['file']['size'], " bytes saved</p>\n";
