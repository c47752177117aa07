//! Names as Bedrock allows them.

use super::Names;

#[test]
fn names_of_documents_are_legal_and_stand_once() {
    let mut names = Names::default();
    for (wanted, given) in [
        ("Report 2026 (final).pdf", "Report 2026 (final)"),
        ("report_v1.2.pdf", "report-v1-2"),
        ("report_v1.2.pdf", "report-v1-2 (2)"),
        ("report_v1.2.pdf", "report-v1-2 (3)"),
        ("REPORT_V1.2.pdf", "REPORT-V1-2 (4)"),
        ("Gr\u{fc}\u{df}e  aus  K\u{f6}ln.md", "Gr-e aus K-ln"),
        ("../../etc", "etc"),
        ("\u{65e5}\u{672c}.pdf", "document"),
        ("", "document (2)"),
    ] {
        assert_eq!(names.legal(wanted), given, "{wanted}");
    }
    assert!(names.legal(&"x".repeat(500)).len() <= 200);
}
