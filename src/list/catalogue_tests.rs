use std::time::Duration;

use super::*;
use crate::config::paths::Paths;
use crate::lead::{Column, Field};

fn lead(email: &str) -> Lead {
    Lead { cells: vec![email.to_owned()] }
}

fn schema() -> Schema {
    Schema { columns: vec![Column { header: "E-mail".into(), field: Some(Field::Email) }] }
}

fn open(home: &tempfile::TempDir) -> Catalogue {
    Catalogue::new(Store::open(&Paths::under(home.path()), Duration::from_secs(30)).unwrap())
}

async fn save(catalogue: &Catalogue, name: &str, emails: &[&str]) -> Committed {
    let draft = catalogue.begin(name, schema(), Provenance::default()).unwrap();
    let leads: Vec<Lead> = emails.iter().map(|email| lead(email)).collect();
    catalogue.put(draft, &leads).await.unwrap();
    catalogue.commit(draft, Timestamp::UNIX_EPOCH).await.unwrap()
}

#[tokio::test]
async fn saving_changed_leads_makes_a_version_and_saving_the_same_does_not() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    assert_eq!(save(&catalogue, "Top", &["a@x.test"]).await.version, 1);
    let same = save(&catalogue, "top", &["a@x.test"]).await;
    assert!(same.unchanged && same.version == 1 && same.name == "Top");
    assert_eq!(save(&catalogue, "Top", &["a@x.test", "b@x.test"]).await.version, 2);

    let (list, versions) = catalogue.get("TOP").unwrap();
    assert_eq!((list.version, list.leads, versions.len()), (2, 2, 2));
    let (id, old) = catalogue.version("Top", 1).unwrap();
    assert_eq!(catalogue.block(id, old.version, 0).unwrap(), [lead("a@x.test")]);
}

#[tokio::test]
async fn a_list_survives_the_process_and_a_dropped_draft_is_nowhere() {
    let home = tempfile::tempdir().unwrap();
    {
        let catalogue = open(&home);
        save(&catalogue, "Kept", &["a@x.test"]).await;
        let draft = catalogue.begin("Never", schema(), Provenance::default()).unwrap();
        catalogue.put(draft, &[lead("b@x.test")]).await.unwrap();
        catalogue.drop_draft(draft).await.unwrap();
        assert!(catalogue.commit(draft, Timestamp::UNIX_EPOCH).await.is_err());
    }
    let catalogue = open(&home);
    let names: Vec<String> = catalogue.all().unwrap().into_iter().map(|list| list.name).collect();
    assert_eq!(names, ["Kept"]);
}

#[tokio::test]
async fn renaming_keeps_the_leads_and_refuses_a_taken_name() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    save(&catalogue, "One", &["a@x.test"]).await;
    save(&catalogue, "Two", &["b@x.test"]).await;
    assert_eq!(catalogue.rename("One", "two").await.unwrap_err().code, Code::Usage);
    catalogue.rename("One", "Uno").await.unwrap();
    assert_eq!(catalogue.get("uno").unwrap().0.leads, 1);
    assert_eq!(catalogue.get("One").unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_deleted_list_is_gone_and_its_name_is_free() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    save(&catalogue, "Gone", &["a@x.test"]).await;
    let (id, version) = catalogue.version("Gone", 0).unwrap();
    catalogue.delete("Gone").await.unwrap();
    assert!(catalogue.all().unwrap().is_empty());
    assert!(catalogue.block(id, version.version, 0).is_err());
    assert_eq!(save(&catalogue, "Gone", &["c@x.test"]).await.version, 1);
}

#[tokio::test]
async fn a_list_needs_a_name_and_two_saves_of_one_list_do_not_mix() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    assert_eq!(catalogue.begin("  ", schema(), Provenance::default()).unwrap_err().code, Code::Usage);
    catalogue.begin("Same", schema(), Provenance::default()).unwrap();
    assert!(catalogue.begin("SAME", schema(), Provenance::default()).is_err());
}

/// Leads of a save that was given up would end in another list.
#[tokio::test]
async fn a_late_block_of_an_old_save_goes_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    let old = catalogue.begin("Old", schema(), Provenance::default()).unwrap();
    catalogue.drop_draft(old).await.unwrap();
    let new = catalogue.begin("New", schema(), Provenance::default()).unwrap();
    assert!(catalogue.put(old, &[lead("a@x.test")]).await.is_err());
    catalogue.put(new, &[lead("b@x.test")]).await.unwrap();
    assert_eq!(catalogue.commit(new, Timestamp::UNIX_EPOCH).await.unwrap().leads, 1);
}

/// A list deleted or renamed while a save of it is under way would come back, in half or under its old name.
#[tokio::test]
async fn a_save_under_way_follows_a_rename_and_ends_with_a_deletion() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = open(&home);
    save(&catalogue, "One", &["a@x.test"]).await;
    let draft = catalogue.begin("One", schema(), Provenance::default()).unwrap();
    catalogue.put(draft, &[lead("b@x.test")]).await.unwrap();
    catalogue.rename("One", "Uno").await.unwrap();
    let saved = catalogue.commit(draft, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((saved.name.as_str(), saved.version), ("Uno", 2));

    let draft = catalogue.begin("uno", schema(), Provenance::default()).unwrap();
    catalogue.put(draft, &[lead("c@x.test")]).await.unwrap();
    let born = catalogue.begin("Due", schema(), Provenance::default()).unwrap();
    assert_eq!(catalogue.rename("Uno", "DUE").await.unwrap_err().code, Code::Usage);
    catalogue.drop_draft(born).await.unwrap();
    catalogue.delete("Uno").await.unwrap();
    assert!(catalogue.commit(draft, Timestamp::UNIX_EPOCH).await.is_err());
    assert!(catalogue.all().unwrap().is_empty());
}
