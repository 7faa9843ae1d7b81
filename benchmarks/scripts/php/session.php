<?php
session_save_path('data');
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
printf("<p>Your visit number <b>%d</b></p>\n", $_SESSION['visits']);
