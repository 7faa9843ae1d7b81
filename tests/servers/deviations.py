"""What servers do differently from the rest, and no configuration of ours can change.

One table: the tests expect these failures, and fail where one no longer occurs;
docs/deploy/servers.md prints it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """What `servers` do, why, and which tests see it: `test_name`, or `test_name[part of its case`.

    `races` are tests that see it nearly always: it depends on who is faster.
    """

    servers: tuple[str, ...]
    what: str
    why: str
    tests: tuple[str, ...]
    races: tuple[str, ...] = ()

    def breaks(self, test: str) -> bool:
        """Whether a test, by its full name, must fail because of this."""
        return matches(test, self.tests)

    def may_break(self, test: str) -> bool:
        """Whether a test, by its full name, may fail because of this."""
        return matches(test, self.races)


def matches(test: str, patterns: tuple[str, ...]) -> bool:
    """Whether the full name of a test is one of those meant."""
    name, _, case = test.partition("[")
    for pattern in patterns:
        wanted, _, part = pattern.partition("[")
        if name == wanted and part in case:
            return True
    return False


DEVIATIONS = (
    Deviation(
        ("nginx-fcgiwrap",),
        "A script that does not exist is 403, not 404.",
        "fcgiwrap answers 403 to everything that it cannot run (seen with 1.1.0).",
        ("test_what_is_missing_is_404",),
    ),
    Deviation(
        ("nginx-fcgiwrap",),
        "If a script leaves part of a body unread, the client gets 502 instead of its answer.",
        "fcgiwrap takes the broken pipe to the script for a failure of the script (seen with 1.1.0).",
        (
            "test_r27_a_body_that_is_refused_gets_its_answer",
            "test_s14_10001_fields[multipart",
            "test_s14_a_field_of_a_gibibyte[65",
        ),
    ),
    Deviation(
        (
            *("nginx-fcgiwrap", "nginx-fastcgi", "nginx-scgi"),
            *("lighttpd-cgi", "lighttpd-fastcgi", "lighttpd-scgi"),
        ),
        "A body that ends early gets no answer: the connection is closed.",
        "nginx and lighttpd receive a body completely before they start its script, and treat a"
        " client that closes its sending side as gone.",
        ("test_a_body_that_ends_early",),
    ),
    Deviation(
        ("apache-mod_proxy_scgi",),
        "A body that ends early is 500, not 400.",
        "mod_proxy_scgi has one status for all errors of the body.",
        ("test_a_body_that_ends_early",),
    ),
    Deviation(
        ("caddy-fastcgi",),
        "A body that ends early is 502, not 400.",
        "Caddy passes on a body while it arrives, and reports the client's error as one of FastCGI.",
        ("test_a_body_that_ends_early",),
    ),
    Deviation(
        ("busybox-httpd", "mini-httpd", "python-cgihttprequesthandler"),
        "The line ends of the script's header are not converted to CR LF.",
        "The script writes to the connection, or its output is copied unchanged. RFC 3875 section 6.3"
        " lets scripts write LF, and RFC 9112 section 2.2 lets clients accept it.",
        ("test_r47_header_lines_end_as_http_wants",),
    ),
    Deviation(
        ("mini-httpd",),
        "The answer to a request with a body is lost.",
        "mini_httpd 1.30 closes its sending side as soon as it has read the body; strace shows"
        " shutdown(SHUT_WR), then EPIPE.",
        (
            "test_a_body_arrives",
            "test_the_statuses_of_an_old_script_arrive",
            "test_form_shows_a_post_apart_from_its_query",
            "test_cookies_are_kept_and_forgotten",
            "test_redirect_after_post_is_303_and_arrives_as_get",
            "test_api_speaks_json_both_ways",
            "test_api_refuses_what_is_not_its_json[{",
            "test_api_refuses_what_is_not_its_json[[1]",
            "test_api_refuses_what_is_not_its_json[xff",
            "test_api_refuses_what_is_not_its_json[body7",
            "test_guestbook_wants_a_name_and_a_text",
            "test_poll_loses_no_vote",
            "test_poll_counts_a_visitor_once",
            "test_login_rotates_and_greets_and_logs_out",
            "test_login_takes_no_wrong_password_and_no_foreign_form",
            "test_s1_nothing_gets_into_the_header",
        ),
        races=(  # the body comes in several pieces
            "test_an_old_script_runs_as_it_is",
            "test_form_takes_files_with_difficult_names",
            "test_a_body_that_ends_early",
            "test_a_body_that_is_longer_than_it_says",
            "test_s14_10001_fields",
            "test_no_boundary",
            "test_nul_in_a_name",
        ),
    ),
    Deviation(
        ("mini-httpd",),
        "A CONTENT_LENGTH that is not a number counts as 0, and the script runs.",
        "mini_httpd parses it with atoll (seen with 1.30).",
        ("test_s15_a_length_that_is_none",),
    ),
    Deviation(
        ("mini-httpd",),
        "A script's standard error goes to the client.",
        "mini_httpd gives scripts one pipe for both.",
        ("test_what_a_script_says_on_stderr_is_in_the_log",),
    ),
    Deviation(
        ("mini-httpd", "python-cgihttprequesthandler"),
        "Only GET, HEAD and POST are supported; mini_httpd also supports PUT and DELETE.",
        "Other methods are not implemented. mini_httpd never answers PUT or DELETE with a body.",
        ("test_every_method_arrives[PATCH",),
    ),
    Deviation(
        ("python-cgihttprequesthandler",),
        "PUT and DELETE are 501.",
        "Methods other than GET, HEAD and POST are not implemented.",
        ("test_every_method_arrives[PUT", "test_every_method_arrives[DELETE"),
    ),
    Deviation(
        ("mini-httpd", "python-cgihttprequesthandler"),
        "Most header fields of the request are not passed on.",
        "A fixed list of fields becomes HTTP_ variables.",
        (
            "test_environment_shows_the_request_and_no_more",
            "test_the_id_of_the_last_event_comes_back",
            "test_a_client_that_takes_gzip_gets_it",
        ),
    ),
    Deviation(
        ("busybox-httpd",),
        "Accept-Encoding is not passed on, so no answer is compressed.",
        "It reads the field itself, for files that have a compressed copy (seen with 1.35).",
        ("test_a_client_that_takes_gzip_gets_it",),
    ),
    Deviation(
        ("python-cgihttprequesthandler",),
        "Every answer of a script has the status 200; its Status field goes to the client.",
        "The status line is sent before the script is started.",
        (
            "test_the_statuses_of_an_old_script_arrive",
            "test_cookies_are_kept_and_forgotten",
            "test_redirect_leads_to_this_site",
            "test_redirect_after_post_is_303_and_arrives_as_get",
            "test_s21_redirect_never_leads_elsewhere",
            "test_api_refuses_what_is_not_its_json",
            "test_api_names_the_methods_it_has",
            "test_r27_a_body_that_is_refused_gets_its_answer",
            "test_a_wrong_field_is_named",
            "test_counter_has_no_other_style",
            "test_guestbook_wants_a_name_and_a_text",
            "test_poll_loses_no_vote",
            "test_login_rotates_and_greets_and_logs_out",
            "test_login_takes_no_wrong_password_and_no_foreign_form",
            "test_a_body_that_ends_early",
            "test_s15_a_length_that_is_none",
            "test_s14_10001_fields",
            "test_s14_a_field_of_a_gibibyte",
            "test_no_boundary",
            "test_nul_in_a_name",
            "test_s1_nothing_gets_into_the_header",
            "test_an_event_arrives_before_the_script_ends[nph",
        ),
    ),
)
