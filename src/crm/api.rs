//! The one way to call a vendor: signed, limited, refreshed on 401, answers classified.
