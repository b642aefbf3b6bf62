//! The address of the connect step as the web product had it: shown by the connect pane, accepted by `connect LINK`.

use std::fmt;
use std::str::FromStr;

use url::form_urlencoded;

use crate::failure::{Code, Failure};

/// What stands before the parameters.
const PLACE: &str = "/dashboard/profile#oauth?";
/// Where every such link comes from.
const SOURCE: &str = "lookalike";

/// `/dashboard/profile#oauth?platform=…&source=lookalike&listName=…&leadCount=…[&reconnect=true]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeepLink {
    /// The platform id; whether there is such a CRM is for the caller to say.
    pub platform: String,
    /// The saved list that waits; empty when there is none.
    pub list_name: String,
    /// How many leads wait.
    pub lead_count: u64,
    /// Whether an existing connection is to be signed in anew.
    pub reconnect: bool,
}

impl DeepLink {
    /// Whether a command-line argument is meant as a link (and not as a platform id).
    pub fn is_meant(text: &str) -> bool {
        text.contains("#oauth") || text.contains("/dashboard/")
    }
}

impl fmt::Display for DeepLink {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("platform", &self.platform).append_pair("source", SOURCE);
        query.append_pair("listName", &self.list_name).append_pair("leadCount", &self.lead_count.to_string());
        if self.reconnect {
            query.append_pair("reconnect", "true");
        }
        write!(out, "{PLACE}{}", query.finish())
    }
}

impl FromStr for DeepLink {
    type Err = Failure;

    /// Reads a link, with or without scheme and host before it. Unknown parameters are passed over.
    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            let remedy =
                format!("Copy the whole link; it looks like {PLACE}platform=salesforce&listName=…&leadCount=….");
            Failure::new(Code::Usage, format!("The link {what}."), remedy)
        };
        let text = text.trim();
        let (_, query) = text.split_once(PLACE).ok_or_else(|| wrong("is not one of a CRM connection"))?;
        let mut link = DeepLink::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "platform" => link.platform = value.into_owned(),
                "listName" => link.list_name = value.into_owned(),
                "leadCount" => {
                    link.lead_count = value.parse().map_err(|_| wrong("has a `leadCount` that is no number"))?
                }
                "reconnect" => link.reconnect = value == "true",
                _ => {}
            }
        }
        if link.platform.is_empty() { Err(wrong("names no platform")) } else { Ok(link) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_link_is_the_web_products() {
        let link = DeepLink {
            platform: "salesforce".into(),
            list_name: "Lookalike - Top Investors".into(),
            lead_count: 37,
            reconnect: false,
        };
        let shown = link.to_string();
        assert_eq!(
            shown,
            "/dashboard/profile#oauth?platform=salesforce&source=lookalike&listName=Lookalike+-+Top+Investors&leadCount=37"
        );
        for prefix in ["", "https://app.example.com", "  http://localhost:3000"] {
            assert_eq!(format!("{prefix}{shown}").parse::<DeepLink>().unwrap(), link);
        }
        let percent = shown.replace('+', "%20");
        assert_eq!(percent.parse::<DeepLink>().unwrap(), link);
    }

    #[test]
    fn half_a_link_says_what_is_missing() {
        for (text, word) in [
            ("salesforce", "not one of"),
            ("/dashboard/profile#oauth?source=lookalike", "no platform"),
            ("/dashboard/profile#oauth?platform=zoho&leadCount=many", "leadCount"),
        ] {
            let failure = text.parse::<DeepLink>().unwrap_err();
            assert!(failure.message.contains(word) && failure.code == Code::Usage, "{failure:?}");
        }
        assert!(!DeepLink::is_meant("salesforce") && DeepLink::is_meant("/dashboard/profile#oauth?x"));
    }

    proptest! {
        #[test]
        fn any_name_survives_the_link(list_name in any::<String>(), platform in "[a-z]{1,12}", lead_count: u64, reconnect: bool) {
            let link = DeepLink { platform, list_name, lead_count, reconnect };
            prop_assert_eq!(link.to_string().parse::<DeepLink>().unwrap(), link);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<DeepLink>();
            let _ = format!("{PLACE}{text}").parse::<DeepLink>();
        }
    }
}
