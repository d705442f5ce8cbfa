"""Texts that programs stumble over: each must be refused in words, or kept and shown as it is."""

CONTROLS = "\x01\x02\x07\x08\x1b[31m\x7f\x80\x9f"
SPACES = " \t\n\r\x0b\x0c\x85\xa0\u2003\u2028\u2029\u3000"
INVISIBLE = "a\u200b\u200c\u200d\u2060\ufeff\u00adb"
DIRECTIONS = "\u202egnp.exe\u202c\u2066\u2067\u2069\u061c"
ZALGO = "Z" + "\u0301\u0316\u0489\u20dd" * 60
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈\U0001f1e9\U0001f1ea\U000e0041"
EDGES = "\ud7ff\ue000\ufdd0\ufffe\uffff\U0010ffff"

TEXTS = (
    "",
    " ",
    CONTROLS,
    SPACES,
    INVISIBLE,
    DIRECTIONS,
    ZALGO,
    EMOJI,
    EDGES,
    "ﷺ" * 40,
    "\u0130\u0131\u017f\u212a\ufb00\xdf",
    "مرحبا שלום",
    "田中さんにあげて下さい",
    "a" * 300,
    "é" * 5_000,
    "undefined",
    "null",
    "None",
    "true",
    "NaN",
    "-Infinity",
    "1e400",
    "-0",
    "0x7fffffffffffffff",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999999999999999",
    "1.7976931348623159e309",
    "٣٤٥",
    "%s%n%x%d%p",
    "%00",
    "{0} {x} {__class__.__mro__}",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "<%= 7*7 %>",
    "#{7*7}",
    "__proto__",
    "constructor",
    "'; DROP TABLE users; --",
    "' OR '1'='1",
    '" OR ""="',
    "1; SELECT pg_sleep(10)",
    "\\'; \\\\",
    "$$ $1 :id ?",
    "a%_\\%",
    "<script>window.naughty=1</script>",
    "<img src=x onerror=window.naughty=1>",
    "javascript:window.naughty=1",
    '"><svg/onload=window.naughty=1>',
    "](javascript:window.naughty=1)",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "C:\\con\\nul",
    "$(touch /tmp/x) `id` | id & id",
    "a\r\nSet-Cookie: x=1\r\n\r\nb",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "http://[::1]:99999/?\u0000",
    "https://a@b@c:1:2/\\..",
    "https://xn--/",
    "bm9kZTox",
    "====",
    "VXNlcjoxMjM0NTY3OC0xMjM0LTEyMzQtMTIzNC0xMjM0NTY3ODkwMTI=",
)
"""Text that JSON can hold and PostgreSQL can keep, but for the one with a NUL."""

KEEPABLE = tuple(text for text in TEXTS if "\0" not in text)
UNREADABLE = (b'"\\ud800"', b'"a\\udfffb"', b'"\\udc00\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"')
"""JSON strings that are no text: halves of pairs, and bytes that are not UTF-8."""
