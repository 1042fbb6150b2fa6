//! `spaces`: the trees that one may see, one's own and those of teams.

use base::{ByteSize, EntryId, SpaceId};
use serde::{Deserialize, Serialize};

use super::{
    Common,
    api::{Api, Page},
    backoff::Patience,
    failure::Failure,
    output::{Output, shown, table},
};

/// A space, as the server tells it.
#[derive(Debug, Deserialize, Serialize)]
struct View {
    id: SpaceId,
    kind: String,
    name: String,
    role: String,
    root_id: EntryId,
    used_bytes: u64,
    reserved_bytes: u64,
    quota_bytes: Option<u64>,
}

pub(super) async fn spaces(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let (mut found, mut cursor) = (Vec::<View>::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<View> = api.get(Patience::Brief, "/spaces", &query).await?;
        found.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let mut output = Output::new();
    if common.json {
        found.iter().try_for_each(|space| output.json(space))?;
        return output.flush();
    }
    let rows = found.iter().map(|space| {
        vec![
            space.id.to_string(),
            shown(&space.kind).into_owned(),
            shown(&space.role).into_owned(),
            ByteSize(space.used_bytes).to_string(),
            space.quota_bytes.map_or_else(|| "no limit".to_owned(), |quota| ByteSize(quota).to_string()),
            shown(&space.name).into_owned(),
        ]
    });
    for line in table(&["ID", "KIND", "ROLE", "USED", "OF", "NAME"], &[3, 4], &rows.collect::<Vec<_>>()) {
        output.line(&line)?;
    }
    output.flush()
}
