//! The logical id rule against every resource of every template that the CDK made.

use neargate_constructs::unique_id;
use serde_json::Value;

use super::here;

#[test]
fn every_resource_has_the_id_that_its_path_gives() {
    let oracle = here().join("../../../../oracle");
    let mut directories = vec![here().join("templates"), oracle.join("more")];
    directories.extend((0..5).map(|seed| oracle.join(format!("seeds/seed{seed}"))));
    let mut checked = 0;
    for directory in directories {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(".template.json") {
                checked += check_template(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    assert!(checked > 400, "only {checked} resources were checked");
}

fn check_template(template: &Value) -> usize {
    let mut checked = 0;
    for (id, resource) in template["Resources"].as_object().unwrap() {
        let Some(path) = resource["Metadata"]["aws:cdk:path"].as_str() else { continue };
        let below_stack: Vec<&str> = path.split('/').skip(1).collect();
        // Ids that the app sets itself do not follow from the path.
        if id != "TheTask" {
            assert_eq!(unique_id(&below_stack), *id, "{path}");
            checked += 1;
        }
    }
    checked
}
