-- visits: one row for each row of the releases, what the triage nurse could know, and what speaks against the row.
--
-- What     lines (as typed) cleaned. `problem` is null for a good row; a row with a problem goes to quarantine. A missing
--          value is no problem, nor is a missing level: `quality` says why there is none. A number outside its range becomes
--          null, never clipped. Nothing that is known only after triage is in `lines`.
-- Units    temperature_c °C (TEMPF: tenths of °F), heart_rate and resp_rate per minute, spo2 %, sbp and dbp mmHg, age_years
--          years (under one: AGEDAYS / 365.25), weight: visits that the sampled visit stands for.
-- Source   NHAMCS ED public-use documentation; ranges ($sign_low, $sign_high): esi_triage.esi.VITAL_SIGNS.

CREATE TABLE visits AS
WITH cleaned AS (
    SELECT
        *,
        whole(HOSPCODE)                      AS hospital,
        whole(PATCODE)                       AS visit,
        whole(AGE)                           AS years,
        CASE
            WHEN years = 0 AND measured(AGEDAYS) BETWEEN 0 AND 366 THEN measured(AGEDAYS) / 365.25
            WHEN years BETWEEN 1 AND 125 THEN CAST(years AS DOUBLE)
        END                                  AS age_years,
        years >= top_age                     AS is_top_age,
        getvariable('sex')[number(SEX)]      AS sex_told,
        getvariable('arrival')[number(ARREMS)]     AS arrival,
        getvariable('residence')[number(RESIDNCE)] AS residence,
        getvariable('none')[coalesce(number(IMMEDR), CASE WHEN nullif(trim(IMMEDR), '') IS NULL THEN -9 END)] AS no_level,
        CASE WHEN number(IMMEDR) IN (1, 2, 3, 4, 5) THEN CAST(number(IMMEDR) AS TINYINT) END AS level,
        has_flag AND coalesce(number(coalesce(IMMEDRFL, IMMEDFL)), 1) <> 0 AND level IS NOT NULL AS is_imputed,
        round((measured(TEMPF) / 10 - 32) / 1.8, 1) AS celsius,
        CASE WHEN celsius BETWEEN $temperature_c_low AND $temperature_c_high THEN celsius END AS temperature_c,
        within(PULSE, $heart_rate_low, $heart_rate_high) AS heart_rate,
        within(RESPR, $resp_rate_low, $resp_rate_high)   AS resp_rate,
        within(POPCT, $spo2_low, $spo2_high)             AS spo2,
        within(BPSYS, $sbp_low, $sbp_high)               AS sbp_in_range,
        within(BPDIAS, $dbp_low, $dbp_high)              AS dbp_in_range,
        coalesce(dbp_in_range >= sbp_in_range, false)    AS is_crossed,
        within(PAINSCALE, $pain_low, $pain_high)         AS pain,
        CASE WHEN number(PATWT) >= 0 THEN number(PATWT) END AS weight
    FROM lines
),

judged AS (
    SELECT
        *,
        CASE
            WHEN YEAR IS NOT NULL AND number(YEAR) IS DISTINCT FROM year_of_file
                AND number(YEAR) + 1900 IS DISTINCT FROM year_of_file
                THEN 'YEAR is ' || left(YEAR, 40) || ', the file is of ' || year_of_file
            WHEN hospital IS NULL THEN 'HOSPCODE is no hospital number: ' || left(coalesce(HOSPCODE, 'blank'), 40)
            WHEN visit IS NULL THEN 'PATCODE is no visit number: ' || left(coalesce(PATCODE, 'blank'), 40)
            WHEN level IS NULL AND no_level IS NULL
                THEN 'IMMEDR is neither a level nor a code of the documentation: ' || left(IMMEDR, 40)
        END AS fault
    FROM cleaned
),

placed AS (
    SELECT
        *,
        CASE WHEN fault IS NULL THEN row_number() OVER (
            PARTITION BY year_of_file, hospital, visit, fault IS NULL ORDER BY file_no, source_row) END AS occurrence
    FROM judged
)

SELECT
    file_no, source_row, year_of_file AS year,
    coalesce(fault, CASE WHEN occurrence > 1
        THEN 'YEAR, HOSPCODE and PATCODE occur twice; the first row is kept' END) AS problem,
    'nhamcs-' || year_of_file || '-' || hospital || '-' || visit AS case_id,
    year_of_file || '-' || hospital          AS "group",
    CASE WHEN NOT is_imputed THEN level END  AS gold,
    age_years, CASE WHEN is_top_age THEN years - 1 END AS over_age, sex_told AS sex, arrival, residence,
    number(AMBTRANSFER) = 1                  AS transferred,
    number(SEEN72) = 1                       AS seen_72h,
    temperature_c, heart_rate, resp_rate, spo2,
    CASE WHEN NOT is_crossed THEN sbp_in_range END AS sbp,
    CASE WHEN NOT is_crossed THEN dbp_in_range END AS dbp,
    pain, weight,
    [measured(RFV1), measured(RFV2), measured(RFV3), measured(RFV4), measured(RFV5)] AS reasons,
    [number(RACERETH), number(REGION), number(CSTRATM), number(CPSUM)] AS design,
    list_filter(
        [
            CASE WHEN is_imputed THEN 'imputed-level' ELSE no_level END,
            CASE WHEN is_top_age THEN 'age-top-coded' END,
            CASE WHEN years = 0 AND age_years IS NULL THEN 'age-days-missing' ELSE why('age_years', AGE, age_years) END,
            why_coded('sex', SEX, sex_told),
            why_coded('arrival', ARREMS, arrival),
            why_coded('residence', RESIDNCE, residence),
            why('temperature_c', TEMPF, temperature_c),
            why('heart_rate', PULSE, heart_rate),
            why('resp_rate', RESPR, resp_rate),
            why('spo2', POPCT, spo2),
            why('sbp', BPSYS, sbp_in_range),
            why('dbp', BPDIAS, dbp_in_range),
            CASE WHEN is_crossed THEN 'crossed-pressure' END,
            why('pain', PAINSCALE, pain),
            why('weight', PATWT, weight),
            CASE WHEN is_text(RFV1) THEN 'unknown-code-reason' END
        ],
        lambda code: code IS NOT NULL
    ) AS quality,
    history
FROM placed
