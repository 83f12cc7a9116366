//! `valueFrom`: where a secret comes from.

use neargate_base::{Arn, Scope};

/// A secret of Secrets Manager or a parameter of Parameter Store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Secret(Secret),
    Parameter(Parameter),
}

/// `arn:aws:secretsmanager:region:account:secret:name[:json-key:version-stage:version-id]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) json_key: Option<String>,
    pub(super) version_stage: Option<String>,
    pub(super) version_id: Option<String>,
}

/// A name of the task's own region, or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) region: String,
}

impl Source {
    /// Reads what a task definition has. `Err` is the agent's text.
    pub(super) fn parse(text: &str, scope: &Scope) -> Result<Self, String> {
        let Ok(arn) = text.parse::<Arn>() else {
            return Ok(Self::Parameter(Parameter { name: text.to_owned(), region: scope.region.to_string() }));
        };
        match arn.service.as_str() {
            "ssm" => Ok(Self::Parameter(Parameter { name: text.to_owned(), region: arn.region })),
            "secretsmanager" => secret(text, &arn).map(Self::Secret),
            other => Err(format!(
                "unexpected ARN format with parameters when trying to retrieve ASM secret: `{other}` keeps no secrets"
            )),
        }
    }
}

/// After the name there are no parts, or exactly three, each of which may be empty.
fn secret(text: &str, arn: &Arn) -> Result<Secret, String> {
    let parts: Vec<&str> = arn.resource.split(':').collect();
    let part = |at: usize| parts.get(at).map(|part| (*part).to_owned()).filter(|part| !part.is_empty());
    let (Some("secret"), Some(name), 2 | 5) = (parts.first().copied(), part(1), parts.len()) else {
        return Err("unexpected ARN format with parameters when trying to retrieve ASM secret".to_owned());
    };
    let end = text.len() - arn.resource.len();
    Ok(Secret {
        arn: format!("{}secret:{name}", text.get(..end).unwrap_or_default()),
        region: arn.region.clone(),
        json_key: part(2),
        version_stage: part(3),
        version_id: part(4),
    })
}

impl Secret {
    /// The same version as a whole.
    pub(super) fn version(&self) -> Self {
        Self { json_key: None, ..self.clone() }
    }
}

impl Parameter {
    /// The name by which `GetParameters` answers it.
    pub(super) fn plain_name(&self) -> &str {
        match self.name.split_once(":parameter/") {
            // A name that begins with a slash has only that one slash in its ARN; one without has none that is its own.
            Some((_, rest)) if rest.contains('/') => self.name.get(self.name.len() - rest.len() - 1..).unwrap_or(rest),
            Some((_, rest)) => rest,
            None => &self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use neargate_base::Scope;

    use super::Source;

    fn read(text: &str) -> String {
        match Source::parse(text, &Scope::new("1", "eu-west-1")) {
            Ok(Source::Secret(it)) => {
                format!("{} {:?} {:?} {:?}", it.arn, it.json_key, it.version_stage, it.version_id)
            }
            Ok(Source::Parameter(it)) => format!("{} in {}, plain {}", it.name, it.region, it.plain_name()),
            Err(text) => text,
        }
    }

    #[test]
    fn value_from_is_an_arn_with_or_without_parts_or_a_parameters_name() {
        const ARN: &str = "arn:aws:secretsmanager:us-east-1:1:secret:a/b-AbCdEf";
        assert_eq!(read(ARN), format!("{ARN} None None None"));
        assert_eq!(read(&format!("{ARN}:key::")), format!("{ARN} Some(\"key\") None None"));
        assert_eq!(read(&format!("{ARN}::AWSPREVIOUS:v1")), format!("{ARN} None Some(\"AWSPREVIOUS\") Some(\"v1\")"));
        assert_eq!(
            read(&format!("{ARN}:key")),
            "unexpected ARN format with parameters when trying to retrieve ASM secret"
        );
        assert_eq!(read("db-host"), "db-host in eu-west-1, plain db-host");
        assert_eq!(read("/a/b"), "/a/b in eu-west-1, plain /a/b");
        assert!(read("arn:aws:ssm:us-east-1:1:parameter/a/b").ends_with("in us-east-1, plain /a/b"));
        assert!(read("arn:aws:ssm:us-east-1:1:parameter/a").ends_with("in us-east-1, plain a"));
        assert!(read("arn:aws:s3:::bucket").ends_with("`s3` keeps no secrets"));
    }
}
